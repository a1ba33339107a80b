"""A picture of what happens when a new task arrives."""

from base64 import b64encode

ALT = (
    "A frozen language model has one prompt for each earlier task and gets a new task. An estimator measures how "
    "similar the new task is to each earlier task. Prompts of similar tasks, above the threshold delta, are mixed into "
    "the new prompt. The new prompt is pushed away from those of dissimilar tasks. Stored prompts never change."
)
_SCHEMES = {
    False: ("#1d2430", "#5b6676", "#f3f5f8", "#1f7a3d", "#7b3294"),
    True: ("#e8ebf0", "#a4adba", "#20242b", "#73c084", "#cb97dd"),
}  # ink, pale, card, similar, dissimilar: as in the theme


def html(dark: bool) -> str:
    """As an image with alt text, because Streamlit strips drawings from a page's markup."""
    data = b64encode(svg(dark).encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{ALT}" style="width:100%;max-width:1000px">'


def svg(dark: bool) -> str:
    """In the theme's colours; scales with the page."""
    ink, pale, card, similar, dissimilar = _SCHEMES[dark]

    def box(x: int, y: int, w: int, h: int, title: str, said: str, edge: str) -> str:
        return (
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="10" fill="{card}" stroke="{edge}" stroke-width="2"/>'
            f'<text x="{x + w / 2}" y="{y + h / 2 - 4}" text-anchor="middle" font-weight="600">{title}</text>'
            f'<text x="{x + w / 2}" y="{y + h / 2 + 16}" text-anchor="middle" font-size="13" fill="{pale}">'
            f"{said}</text>"
        )

    def arrow(path: str, color: str) -> str:
        return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.5" marker-end="url(#end-{color[1:]})"/>'

    ends = "".join(
        f'<marker id="end-{c[1:]}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{c}"/></marker>'
        for c in (pale, similar, dissimilar)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 940 300" font-family="Source Sans Pro, sans-serif" '
        f'font-size="16" fill="{ink}"><defs>{ends}</defs>'
        + box(10, 110, 150, 80, "a new task", "a few examples", pale)
        + arrow("M162 150H238", pale)
        + box(242, 110, 190, 80, "estimator", "similarity α to each task", pale)
        + arrow("M434 136C480 136 470 70 516 70", similar)
        + arrow("M434 164C480 164 470 230 516 230", dissimilar)
        + box(520, 30, 190, 80, "similar: α &gt; δ", "prompts are mixed in", similar)
        + box(520, 190, 190, 80, "dissimilar: α ≤ δ", "prompts are pushed away", dissimilar)
        + arrow("M712 70C760 70 740 136 786 136", similar)
        + arrow("M712 230C760 230 740 164 786 164", dissimilar)
        + box(790, 110, 140, 80, "its prompt", "then frozen", pale)
        + f'<text x="12" y="290" font-size="13" fill="{pale}">The language model itself is frozen throughout; '
        "only prompts and the small estimator are trained.</text></svg>"
    )
