"""Two tasks made of parts and what one does to the other; all tasks, their relatedness, and the relatedness dial."""

import pandas as pd
import streamlit as st

from shlpt.analysis.points import signed
from shlpt.plots import dial, relatedness
from shlpt.tasks import describe
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.task import Split, Task
from shlpt.ui import importer, page, playground
from shlpt.ui.choose import kept, one_task

SPLITS: dict[str, Split] = {"training": "train", "validation": "validation", "test": "test"}


def choose() -> Task:
    """The task in the address, or the chosen one."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        name = one_task("Task", "task")
    other = describe.contrary_name(name)
    swapped = right.toggle(
        "Swap the answers (contrary task)",
        key="contrary",
        bind="query-params",
        disabled=other is None,
        help="The same texts and the same question with the answer words read backwards",
    )
    return find_task(other if swapped and other else name)


def facts(task: Task) -> None:
    """The task in numbers, and what it is a stand-in for."""
    if task.standin_for:
        said = f"is generated text that stands in for {page.plain(task.standin_for)}; it is not that data set"
    else:
        said = "is generated text; it stands in for no data set"
    st.markdown(f":material/info: **{page.plain(task.title)}** {said}. It asks: {page.plain(task.about)}")
    words = describe.lengths(task)
    with st.container(horizontal=True):
        for name, value, about in (
            ("Family", task.family, "questions of one kind"),
            ("Classes", task.classes, "number of answer classes; examples are balanced over them"),
            ("Metric", task.metric, "how answers are scored: exact match, or F1 over words"),
            ("Chance", f"{task.chance:.0%}", "score of random guessing"),
            ("Words in a text", f"{words.shortest}–{words.longest}", f"median: {words.middle:g} words"),
        ):
            page.metric(name, value, about)


def examples(task: Task) -> None:
    """Texts with their answers, shown literally."""
    split = SPLITS[kept("Examples from", list(SPLITS), "split", segments=True)]
    columns = st.columns(2)
    for place, example in enumerate(describe.one_of_each(task, split, 6)):
        with columns[place % 2].container(border=True):
            st.text(example.text)
            st.badge(page.plain(example.target), color="gray")


def related(task: Task) -> None:
    """The relatedness matrix of the selected families, optionally with the chosen task's contrary."""
    families = list(dict.fromkeys(known.family for known in TASKS.values()))
    wanted = st.pills("Filter by family", families, selection_mode="multi", key="family", bind="query-params")
    names = [name for name, known in TASKS.items() if known.family in (wanted or families)]
    chosen = [find_task(name) for name in names]
    if task.family in (wanted or families) and task.name not in names:
        chosen.append(task)  # a contrary task is in no list
    page.draw(relatedness, chosen, key="relatedness", table=relatedness.numbers(chosen))
    page.explain(
        "Declared, not measured: the parts that tasks are made of are known, and so is which tasks share a question, "
        "answer words or a kind of text. Scale: +1 (the same task) to −1. Below 0: another question, most of all one "
        "about the same texts in the same words, because a prompt that is sure of it has to be unlearned."
    )
    kinds = pd.DataFrame(describe.relations())
    st.dataframe(kinds.assign(degree=[signed(degree) for degree in kinds["degree"]]), hide_index=True)


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
        f"The tasks **dial:+1.00** and **{find_task(f'dial:{degree}').name}** use the same hotel reviews. They "
        f"have the same answer for **{share:.0%}** of them."
    )
    rows = describe.dialled(degree, 120)
    left, right = st.columns(2)
    with left:
        page.draw(dial, rows, degree, key="dialled", table=dial.numbers(rows))
    with right:
        for row in rows[:4]:
            with st.container(border=True):
                st.text(row.text)
                with st.container(horizontal=True):
                    st.badge(f"at +1.00: {row.source}", color="gray")
                    st.badge(f"at {signed(degree, '+.2f')}: {row.target}", color="green" if row.agree else "violet")
    page.explain("Move the slider: the texts stay the same, and only the answers of the second task change.")


def show() -> None:
    page.head(
        "Tasks",
        "The tasks that can be learned here and how they are related. All texts are generated by known rules. Tasks "
        "named after data sets are stand-ins.",
    )
    st.header("Relatedness playground", anchor="playground")
    page.explain(
        "Make two tasks of a question, texts and answer words. Which part must they share, so that learning the first "
        "helps the second? The grey names are for every command."
    )
    playground.show()
    st.header("A task and its texts", anchor="task")
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
    st.header("Imported tasks", anchor="imported")
    with page.guard():
        importer.stored()
    with st.expander("Import a task", icon=":material/upload_file:"):
        importer.wizard()
    st.header("Declared relatedness", anchor="relatedness")
    related(chosen)
    st.header("The relatedness dial", anchor="dial")
    turn()


with page.guard():
    show()
