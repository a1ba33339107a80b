"""Every task with examples, how the tasks are related, and the relatedness dial."""

import pandas as pd
import streamlit as st

from shlpt.plots import dial, relatedness, theme
from shlpt.tasks import describe
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.task import Split, Task
from shlpt.ui import page
from shlpt.ui.choose import kept

SPLITS: dict[str, Split] = {"training": "train", "validation": "validation", "test": "test"}


def choose() -> Task:
    """The task that the address names, or the one chosen."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = kept("Task", list(TASKS), "task", write=theme.titled, where=left)
    other = describe.contrary_name(name)
    swapped = right.toggle(
        "Swap the answers (contrary task)",
        key="contrary",
        bind="query-params",
        disabled=other is None,
        help="The same texts with the answers swapped: the task that is most harmful to the original",
    )
    return find_task(other if swapped and other else name)


def facts(task: Task) -> None:
    """What the task is, in numbers, and that it is a stand-in."""
    if task.standin_for:
        said = f"is generated text that stands in for {page.plain(task.standin_for)}; it is not that data set"
    else:
        said = "is generated text; it stands in for no data set"
    st.markdown(f":material/info: **{page.plain(task.title)}** {said}. It asks: {page.plain(task.about)}")
    words = describe.lengths(task)
    with st.container(horizontal=True):
        for name, value, about in (
            ("Family", task.family, "tasks of one family share a rule"),
            ("Classes", task.classes, "number of answer classes; examples are balanced over them"),
            ("Metric", task.metric, "how answers are scored: exact match, or F1 over words"),
            ("Chance", f"{task.chance:.0%}", "score of random guessing"),
            ("Words in a text", f"{words.shortest}–{words.longest}", f"median: {words.middle:g} words"),
        ):
            st.metric(name, value, help=about, border=True, width="content")


def examples(task: Task) -> None:
    """Texts with their answers, shown literally."""
    split = SPLITS[kept("Examples from", list(SPLITS), "split", segments=True)]
    columns = st.columns(2)
    for place, example in enumerate(describe.one_of_each(task, split, 6)):
        with columns[place % 2].container(border=True):
            st.text(example.text)
            st.badge(page.plain(example.target), color="gray")


def related(task: Task) -> None:
    """The matrix of the selected families, with the contrary of the chosen task if it is switched on."""
    families = list(dict.fromkeys(known.family for known in TASKS.values()))
    wanted = st.pills("Filter by family", families, selection_mode="multi", key="family", bind="query-params")
    names = [name for name, known in TASKS.items() if known.family in (wanted or families)]
    chosen = [find_task(name) for name in names]
    if task.family in (wanted or families) and task.name not in names:
        chosen.append(task)  # a contrary task, which stands in no list
    figure = relatedness.figure(chosen, dark=page.is_dark())
    page.chart(figure, relatedness.alt(chosen), relatedness.numbers(chosen), key="relatedness")
    page.explain(
        "Declared, not measured: the rules that generate the texts are known, and so is which tasks share a rule, "
        "their answers or their kind of text. Scale: +1 (same), 0 (unrelated), −1 (contrary)."
    )
    st.dataframe(pd.DataFrame(describe.relations()), hide_index=True)


def turn() -> None:
    degree = st.slider(
        "Relatedness of the second task to the first",
        -1.0,
        1.0,
        0.5,
        0.05,
        key="dial",
        bind="query-params",
        format="%+.2f",
        help="Cosine of the angle between the rules of the two tasks",
    )
    share = describe.agreement(degree)
    st.markdown(
        f"The tasks **dial:+1.00** and **dial:{degree:+.2f}** use the same hotel reviews. They have the same answer "
        f"for **{share:.0%}** of them."
    )
    rows = describe.dialled(degree, 120)
    left, right = st.columns(2)
    with left:
        page.chart(
            dial.figure(rows, degree, dark=page.is_dark()), dial.alt(rows, degree), dial.numbers(rows), "dialled"
        )
    with right:
        for row in rows[:4]:
            with st.container(border=True):
                st.text(row.text)
                with st.container(horizontal=True):
                    st.badge(f"at +1.00: {row.source}", color="gray")
                    st.badge(f"at {degree:+.2f}: {row.target}", color="orange" if row.agree else "blue")
    page.explain("Move the slider: the texts stay the same, and only the answers of the second task change.")


def show() -> None:
    page.head(
        "Tasks",
        "The tasks that can be learned here and how they are related. All texts are generated by known rules.",
        badges=["stand-ins, not the paper's data sets"],
    )
    chosen = choose()
    facts(chosen)
    examples(chosen)
    st.header("All tasks", anchor="all")
    st.dataframe(
        pd.DataFrame(describe.table()),
        hide_index=True,
        height="content",
        column_config={
            "chance": st.column_config.NumberColumn(format="percent", help="score of random guessing"),
            "words": st.column_config.NumberColumn(help="median number of words in a text"),
        },
    )
    st.header("Declared relatedness", anchor="relatedness")
    related(chosen)
    st.header("The relatedness dial", anchor="dial")
    turn()


with page.guard():
    show()
