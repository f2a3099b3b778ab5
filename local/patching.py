"""Replacing moto's insides for as long as an emulator runs, and not longer."""

from contextlib import ExitStack
from typing import Any


class Patch:
    """Calls set an attribute of a class or module; leaving the stack puts every original back."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, owner: Any, name: str, value: Any) -> None:
        own = vars(owner)  # getattr would unwrap class methods, and find what is inherited
        if name in own:
            self._stack.callback(setattr, owner, name, own[name])
        else:
            self._stack.callback(delattr, owner, name)
        setattr(owner, name, value)
