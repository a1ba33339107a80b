"""All tasks with examples, their relatedness, and the relatedness dial."""

import pandas as pd
import streamlit as st

from shlpt.plots import dial, relatedness
from shlpt.tasks import describe
from shlpt.tasks.find import find_task
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, formats
from shlpt.tasks.pocket import TASKS, relation
from shlpt.tasks.task import Split, Task
from shlpt.ui import importer, page
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
    st.dataframe(pd.DataFrame(describe.relations()), hide_index=True)


def composed(other: Task) -> None:
    """A task made of a question, texts and answer words, and how it is related to the chosen one."""
    first, second, third = st.columns(3)
    name = kept("Question", list(QUESTIONS), "question", write=lambda q: f"{q}: {QUESTIONS[q].asks}", where=first)
    fit = [domain.name for domain in DOMAINS.values() if name in domain.questions]
    place = kept("Texts", fit, "texts", write=lambda d: DOMAINS[d].about, where=second)
    ways = (1, -1) if QUESTIONS[name].cuts else (1,)  # names of topics have one order
    lists = list(dict.fromkeys("-".join(words[::way]) for words in formats(name, place) for way in ways))
    answers = kept("Answers", lists, "answers", where=third)
    task = find_task(f"ask:{name}/{place}/{answers}")
    st.code(task.name, language=None)
    kind, degree = relation(task, other)
    st.markdown(f"To **{page.plain(other.title)}** it is declared: {kind} ({degree:+.2f}).")
    columns = st.columns(2)
    for number, example in enumerate(describe.one_of_each(task, "train", 4)):
        with columns[number % 2].container(border=True):
            st.text(example.text)
            st.badge(page.plain(example.target), color="gray")
    page.explain(
        "Texts say several things, and only the answers tell which question is meant. The code above is a name for "
        "every command and for a sequence of your own; with @32 after it, the task has 32 examples of each class."
    )


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
        page.draw(dial, rows, degree, key="dialled", table=dial.numbers(rows))
    with right:
        for row in rows[:4]:
            with st.container(border=True):
                st.text(row.text)
                with st.container(horizontal=True):
                    st.badge(f"at +1.00: {row.source}", color="gray")
                    st.badge(f"at {degree:+.2f}: {row.target}", color="green" if row.agree else "violet")
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
    st.header("Imported tasks", anchor="imported")
    with page.guard():
        importer.stored()
    with st.expander("Import a task", icon=":material/upload_file:"):
        importer.wizard()
    st.header("Declared relatedness", anchor="relatedness")
    related(chosen)
    st.header("Compose a task", anchor="compose")
    composed(chosen)
    st.header("The relatedness dial", anchor="dial")
    turn()


with page.guard():
    show()
