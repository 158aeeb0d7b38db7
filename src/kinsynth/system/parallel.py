"""Work on a stream of items in threads, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    begin: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Do work on items in threads and give the results in the order of the items.

    Args:
        work: What to do; it must not depend on what other items do.
        items: What to do it on; taken as threads become free.
        workers: Number of threads.
        begin: Called once in each thread before its first work.

    Guarantees:
        At most one result more than there are threads waits to be taken. An error of the work is raised where
        its result would come; nothing is begun after that, or after the caller stops.

    >>> list(ordered(str, range(3), workers=2))
    ['0', '1', '2']
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(max(workers, 1), initializer=begin) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
