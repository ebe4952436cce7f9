"""River's models as bytes, alike for alike models, and read by the same River alone.

River has no format of its own: its models are pickled, and a pickle is bound to the classes that
wrote it. So the bytes begin with the versions of River and NumPy; those of another version are
passed over, and the model is learned anew. Only classes of River, NumPy and a few of Python's own
are looked up, so that nothing else runs, whatever the bytes say.
"""

import io
import pickle
import sys
from importlib.metadata import version
from typing import Any

_MARK = f"river {version('river')} numpy {version('numpy')}\n".encode()
_RIVER = "river."
_CYTHON = "__pyx_unpickle_"
"""What Cython writes for the classes that it has compiled."""
_OTHERS = {
    "builtins": {"set", "object", "int", "float", "dict", "list"},
    "collections": {"defaultdict", "deque", "Counter"},
    "copyreg": {"_reconstructor"},
    "random": {"Random"},
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}


class _Writer(pickle.Pickler):
    """Writes equal strings as one, so that a model that was read is written as it was."""

    def persistent_id(self, obj: object) -> str | None:
        """Return the one string that equals this one; None for all else."""
        return sys.intern(obj) if type(obj) is str else None


class _Reader(pickle.Unpickler):
    """Reads what `_Writer` has written."""

    def persistent_load(self, pid: Any) -> Any:
        """Return the string itself."""
        return pid

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return a class that models are made of.

        Raises:
            UnpicklingError: It is another.
        """
        if (module_name, global_name) == ("builtins", "getattr"):
            return _method_of
        if global_name in _OTHERS.get(module_name, ()):
            return super().find_class(module_name, global_name)
        if module_name.startswith(_RIVER) and "." not in global_name:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) or global_name.startswith(_CYTHON):
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of a model")


def _method_of(owner: object, name: str) -> Any:
    """Return a method of a model's part: some of them keep their own in a variable."""
    if not type(owner).__module__.startswith(_RIVER) or name.startswith("__"):
        raise pickle.UnpicklingError(f"{name} of {type(owner).__name__} is no part of a model")
    return getattr(owner, name)


def dump(model: object) -> bytes:
    """Return a model as bytes."""
    written = io.BytesIO()
    written.write(_MARK)
    _Writer(written, protocol=5).dump(model)
    return written.getvalue()


def load(written: bytes) -> Any | None:
    """Return the model that `dump` has written; None where another River or NumPy has."""
    if not written.startswith(_MARK):
        return None
    return _Reader(io.BytesIO(written[len(_MARK) :])).load()
