"""The partition of stored α by a threshold: similar tasks, their shares in the mixture, and whether δ matters. Pure. A
frame of α has a row per example and earlier task: [example, text, target, earlier, alpha]. Nothing is retrained here;
training with another δ would also give other α."""

import numpy as np
import pandas as pd

COLUMNS = ["earlier", "mean", "share", "side", "lent"]
CERTAIN = 0.9  # a gap in α as wide as this is no place for a choice
ALIKE = 0.02  # α of all texts within this range: the estimator does not tell them apart
NEAR, FAR = "nearest", "farthest"


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    """Instances × earlier tasks, both in their order in the frame."""
    table = frame.pivot(index="example", columns="earlier", values="alpha")
    return table.loc[frame["example"].unique(), list(frame["earlier"].unique())]


def divide(frame: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """By earlier task: mean α over all instances, share of instances with α > δ, the side that the mean is on (eq. 5),
    and the weight of its prompt in the stored mixture: the mean over the instances of each one's weight (eq. 7)."""
    if frame.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = wide(frame)
    mean = table.mean().to_numpy()
    kept = table.where(table > threshold, 0.0).to_numpy()  # [N,n]
    total = kept.sum(1, keepdims=True)
    weights = np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
    return pd.DataFrame(
        {
            "earlier": list(table.columns),
            "mean": mean,
            "share": (table > threshold).mean().to_numpy(),
            "side": np.where(mean > threshold, "similar", "dissimilar"),
            "lent": weights.mean(0),
        }
    )


def vacuous(frame: pd.DataFrame, threshold: float) -> str:
    """Why this δ makes no difference, in a sentence; empty if it does."""
    if frame.empty:
        return ""
    alpha, tasks = frame["alpha"], frame["earlier"].nunique()
    if tasks == 1:
        name = "similar" if threshold < 1 else "dissimilar"
        return (
            "With one earlier task α is always 1, whatever the text: the task is similar at δ < 1 and dissimilar at "
            f"δ ≥ 1. At this δ it is {name}."
        )
    if alpha.min() > threshold:
        return "Every α is above this δ: all earlier tasks are similar to every text."
    if alpha.max() <= threshold:
        return "No α is above this δ: all earlier tasks are dissimilar to every text, and no prompt is mixed in."
    low, high = alpha[alpha <= threshold].max(), alpha[alpha > threshold].min()
    if high - low >= CERTAIN:
        return (
            f"The estimator is certain: every α is at most {low:.3f} or at least {high:.3f}, so any δ between them "
            "gives the same partition."
        )
    return ""


def summary(frame: pd.DataFrame, threshold: float) -> str:
    """Where δ divides, in a sentence."""
    rows = divide(frame, threshold)
    similar = int((rows["side"] == "similar").sum())
    said = f"By their mean α, {similar} of {len(rows)} earlier tasks are similar"
    rest = len(rows) - similar
    if not similar:
        return f"{said}, though some texts are above δ. For these texts alone a prompt is mixed in."
    return f"{said}{f' and {rest} dissimilar' if rest else ', though some texts are below δ'}."


def blind(frame: pd.DataFrame) -> str:
    """A sentence if the estimator gives every text nearly the same α; empty for one earlier task (α is 1)."""
    if frame.empty or frame["earlier"].nunique() == 1:
        return ""
    alpha = frame.groupby("earlier")["alpha"]
    reach = float((alpha.max() - alpha.min()).max())
    if reach >= ALIKE:
        return ""
    return f"Every text gets nearly the same α (within {reach:.2g}): the estimator distinguishes tasks, not texts."


def neighbours(frame: pd.DataFrame, example: str, count: int = 3) -> pd.DataFrame:
    """The instances whose α is most and least like that of one: [which, example, text, target, distance]. Distance is
    the Euclidean length of the difference of two vectors of α; of equal distances the first in the frame comes first.
    """
    columns = ["which", "example", "text", "target", "distance"]
    table = wide(frame) if len(frame) else pd.DataFrame()
    if example not in table.index or len(table) < 2:
        return pd.DataFrame(columns=columns)
    others = table.drop(index=example)
    apart = np.sqrt(((others - table.loc[example]) ** 2).sum(axis=1))
    texts = frame.drop_duplicates("example").set_index("example")[["text", "target"]]
    rows = texts.loc[others.index].assign(distance=apart).reset_index()
    near = rows.sort_values("distance", kind="stable").head(count)
    far = rows.drop(index=near.index).sort_values("distance", ascending=False, kind="stable").head(count)
    return pd.concat([near.assign(which=NEAR), far.assign(which=FAR)], ignore_index=True)[columns]
