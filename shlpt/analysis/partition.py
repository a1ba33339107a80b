"""The partition of stored α by a threshold: similar tasks and their shares in the mixture. Pure. A frame of α has a row
per example and earlier task: [example, text, target, earlier, alpha]. Nothing is retrained here; training with another
δ would also give other α. Whether δ decides anything is in `vacuity`."""

import numpy as np
import pandas as pd

COLUMNS = ["earlier", "mean", "share", "side", "lent"]
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


def summary(frame: pd.DataFrame, threshold: float) -> str:
    """Where δ divides, in a sentence."""
    rows = divide(frame, threshold)
    similar = int((rows["side"] == "similar").sum())
    said = f"By their mean α, {similar} of {len(rows)} earlier tasks are similar"
    rest = len(rows) - similar
    if not similar:
        return f"{said}, though some texts are above δ. For these texts alone a prompt is mixed in."
    return f"{said}{f' and {rest} dissimilar' if rest else ', though some texts are below δ'}."


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
