"""One module a resource; a route finds, makes one call, and answers."""
