"""WhiteNoise, which looks for its files once for all of a process's test clients.

Each client makes its middleware anew, and a search of 240 files costs more than most requests.
"""

from typing import Any, ClassVar

from whitenoise.middleware import WhiteNoiseMiddleware


class FoundOnce(WhiteNoiseMiddleware):
    _found: ClassVar[dict[str, Any]] = {}

    def add_files_from_finders(self) -> None:
        if not self._found:
            super().add_files_from_finders()
            self._found.update(self.files)
        self.files.update(self._found)
