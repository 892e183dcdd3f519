"""Pure computing for resilience plans: projected tables and arrays in, frozen results out."""
