"""Nine lessons: guess first, then see, then understand why."""

import streamlit as st

from shlpt.analysis import headlines
from shlpt.errors import UserError, unknown
from shlpt.lessons import glossary
from shlpt.lessons.reading import names, read
from shlpt.ui import lesson, page

COLUMNS = 3


def lessons() -> None:
    page.head(
        "Learn",
        "Lessons on lifelong prompt tuning, for yourself or for a class. You guess first, then you see the result.",
    )
    st.info(headlines.BUILT, icon=":material/air:")
    rows = [names()[at : at + COLUMNS] for at in range(0, len(names()), COLUMNS)]
    for row in rows:
        for column, name in zip(st.columns(COLUMNS), row, strict=False):
            with column, page.guard():  # a lesson that cannot be read says so, and the others are there
                lesson.card(read(name))
    with st.expander("Words and symbols", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- {glossary.line(term)}" for term in glossary.terms().values()))


chosen = st.query_params.get("lesson")
if chosen is None:
    lessons()
elif chosen not in names():
    st.warning(page.plain(str(unknown("lesson", chosen[:40], names()))), icon=":material/link_off:")
    lessons()
else:
    try:
        found = read(chosen)
    except UserError as error:
        st.title("Learn")
        st.error(page.plain(str(error)), icon=":material/error:")
        if st.button("All lessons", icon=":material/arrow_back:"):
            lesson.leave()
    else:
        lesson.show(found)
