"""What this is, what it can learn, and what has been learned so far."""

import streamlit as st

from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.runs.store import Store
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import SEQUENCES

st.title("Similarity heuristic lifelong prompt tuning")
st.write(
    "A frozen language model learns one task after another, one soft prompt per task. Earlier tasks that are similar "
    "lend their prompts to the next one; dissimilar ones are pushed away, so that they do no harm."
)
st.write("Train the demonstration (four tasks, under a minute on a laptop), then reload this page:")
st.code("python -m shlpt run --sequence demo --method shlpt", language="bash")

st.subheader("Runs in the store")
store = Store()
try:
    runs = list(store.runs().values())
except UserError as error:
    runs = []
    st.error(str(error))
if runs:
    columns = ("id", "method", "seed", "state", "acc", "bwt", "fwt", "tasks")
    st.dataframe([{name: run.get(name) for name in columns} for run in runs], hide_index=True)
else:
    st.write("None yet. The command above makes the first one.")

st.subheader("Tasks of the pocket world")
st.caption("Generated stand-ins with the names of the paper's data sets. They are not those data sets.")
name = st.selectbox("Task", list(TASKS), format_func=lambda key: f"pocket/{key}", key="task", bind="query-params")
task = find_task(name)
st.write(f"Stands in for {task.standin_for}: {task.about}. {task.classes} classes, measured by {task.metric}.")
examples = task.draw("test", 1, 0)[:6]
st.dataframe([{"text": e.text, "answer": e.target} for e in examples], hide_index=True)

left, right = st.columns(2)
left.subheader("Methods")
left.dataframe([{"name": m.name, "what it does": m.about} for m in METHODS.values()], hide_index=True)
right.subheader("Sequences")
right.dataframe([{"name": n, "tasks": " → ".join(t)} for n, t in SEQUENCES.items()], hide_index=True)
