"""The time of each stage: the wall time of its lane group, divided among the lanes in training."""

import time
from collections.abc import Callable, Mapping


class Meter:
    """Seconds of each lane so far. They add up to the group's time without pauses."""

    def __init__(self, spent: Mapping[str, float], clock: Callable[[], float] = time.perf_counter) -> None:
        self.spent, self.clock = dict(spent), clock
        self._active, self._mark = set(spent), clock()

    def share(self) -> dict[str, float]:
        """Add the time since the last call to the active lanes."""
        now = self.clock()
        for key in self._active:
            self.spent[key] += (now - self._mark) / len(self._active)
        self._mark = now
        return dict(self.spent)

    def skip(self) -> None:
        """Ignore the time since the last call."""
        self._mark = self.clock()

    def end(self, key: str) -> float:
        """End a lane; the others share the time that follows."""
        found = self.share()[key]
        self._active.remove(key)
        return round(found, 3)
