"""Whether the Hugging Face hub answers. Its own libraries would try for half a minute before they say no."""

import time
from functools import lru_cache

SECONDS = 5.0  # that the hub has to answer, and that its answer is believed


def hub_answers() -> bool:
    from huggingface_hub import constants

    return _answers(constants.ENDPOINT, int(time.monotonic() // SECONDS))


@lru_cache(maxsize=16)
def _answers(endpoint: str, _moment: int) -> bool:
    from huggingface_hub import get_session

    try:
        get_session().head(endpoint, timeout=SECONDS)
    except Exception:  # of the library below it, of which there have been several
        return False
    return True
