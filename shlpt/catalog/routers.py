"""How a prompt can be chosen from the text, if a method that needs the task is not told it."""

from shlpt.catalog.methods import METHODS

ROUTERS = {
    "embeddings": "the task whose training texts have the nearest mean word embeddings; no pass through the model",
    "keys": "the task whose keys fit the text best; one pass through the encoder",
    "uncertainty": "the prompt with the lowest entropy of the first answer token; one pass for each prompt",
}

TITLES = {
    "embeddings": "nearest word embeddings",
    "keys": "the method's own keys",
    "uncertainty": "most certain first token",
}


def title_of(router: str) -> str:
    """What is no router, such as that none is needed, is a title already."""
    return TITLES.get(router, router)


def routers_of(method: str) -> tuple[str, ...]:
    """The routers that a method can use: none if it is not told the task anyway."""
    info = METHODS[method]
    return tuple(name for name in ROUTERS if info.is_told_the_task and (name != "keys" or info.has_keys))
