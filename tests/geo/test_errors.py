"""Errors say everything at once."""

from __future__ import annotations

import inspect

import pytest

from geo import errors
from geo.errors import ColumnError, Fault, InputError, RenxingError, refuse

EVERY = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, RenxingError)]


@pytest.mark.parametrize("cls", EVERY)
def test_each_error_has_a_code_of_its_own_and_is_drawn_in_the_tree(cls: type[RenxingError]) -> None:
    assert [other for other in EVERY if other.code == cls.code] == [cls]
    assert errors.__doc__ is not None and cls.__name__ in errors.__doc__


@pytest.mark.parametrize("cls", [cls for cls in EVERY if cls is not RenxingError])
def test_each_error_is_also_a_builtin(cls: type[RenxingError]) -> None:
    assert any(base.__module__ == "builtins" and base not in (Exception, BaseException, object) for base in cls.__mro__)


def test_all_faults_are_told_in_order() -> None:
    faults = [Fault("a number", "'x'", "row 3, depth", "Write metres."), Fault("a name", "nothing")]
    with pytest.raises(ColumnError) as caught:
        refuse(ColumnError, faults)
    assert (
        str(caught.value)
        == "row 3, depth: expected a number, found 'x'. Write metres.\nexpected a name, found nothing."
    )
    assert caught.value.faults == tuple(faults)


def test_no_fault_no_error() -> None:
    assert refuse(InputError, []) is None  # type: ignore[func-returns-value]


def test_file_errors_read_well_too() -> None:
    assert str(errors.FileMissingError(Fault("a file", "none", "a.pbf"))) == "a.pbf: expected a file, found none."
