"""The time of each stage: the wall time of its lane group, divided among the lanes in training."""

import time
from collections.abc import Callable, Mapping


class Meter:
    """Seconds of each lane so far. They add up to the group's time; pauses are not counted."""

    def __init__(self, spent: Mapping[str, float], clock: Callable[[], float] = time.perf_counter) -> None:
        self.spent, self.clock = dict(spent), clock
        self._active, self._mark = set(spent), clock()

    def share(self) -> dict[str, float]:
        """Count up to now."""
        now = self.clock()
        for key in self._active:
            self.spent[key] += (now - self._mark) / len(self._active)
        self._mark = now
        return dict(self.spent)

    def skip(self) -> None:
        """What has passed since the last count is not counted."""
        self._mark = self.clock()

    def end(self, key: str) -> float:
        """The lane is done: the others share what follows."""
        found = self.share()[key]
        self._active.remove(key)
        return round(found, 3)
