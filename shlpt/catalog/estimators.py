"""How the similarity of two tasks can be estimated before the second is learned with the help of the first.

One record for each estimator: lists, the league and the command line read these. What computes a score is in
results/scores.py.
"""

from dataclasses import dataclass
from typing import Literal

Need = Literal["source's prompt", "target's texts", "target's own prompt", "a run of SHLPT", "measured transfer"]
PROMPT: Need = "source's prompt"
TEXTS: Need = "target's texts"
OWN: Need = "target's own prompt"
SHLPT: Need = "a run of SHLPT"
TRANSFER: Need = "measured transfer"


@dataclass(frozen=True)
class EstimatorInfo:
    """Everything known about an estimator; its score is higher for tasks that it calls more similar."""

    name: str
    title: str
    about: str
    needs: tuple[Need, ...] = ()  # beside the names of the tasks; the target's own prompt was trained without transfer
    passes: Literal["none", "forward", "backward"] = "none"  # of the backbone over the target's training texts
    version: int = 1  # raised when a change of code changes scores

    @property
    def cost(self) -> str:
        """What it costs beside arithmetic."""
        found = {"none": "no pass", "forward": "a forward pass", "backward": "a forward and a backward pass"}
        trained = {OWN: "the target trained alone", SHLPT: "the target trained by SHLPT", TRANSFER: "other seeds"}
        return "; ".join([found[self.passes], *(trained[need] for need in self.needs if need in trained)])


_STATES = "on the target's texts, first decoder position"
ESTIMATORS: dict[str, EstimatorInfo] = {
    e.name: e
    for e in (
        EstimatorInfo(
            "alpha",
            "learned α",
            "mean α over the target's training texts at the end of its stage; SHLPT with its usual settings",
            (PROMPT, TEXTS, SHLPT),
        ),
        EstimatorInfo(
            "alpha_published",
            "learned α, as published",
            "the same with the form of the estimator that was published",
            (PROMPT, TEXTS, SHLPT),
        ),
        EstimatorInfo("prompt_mean", "mean prompts", "cosine of the two prompts' mean vectors", (PROMPT, OWN)),
        EstimatorInfo(
            "prompt_token",
            "prompt tokens",
            "for each vector of the target's prompt its largest inner product with one of the source's, on average "
            "(Lin and others 2024)",
            (PROMPT, OWN),
        ),
        EstimatorInfo(
            "task_vector",
            "task vectors",
            "inner product of the mean rows of prompt minus starting prompt (DTVG)",
            (PROMPT, OWN),
        ),
        EstimatorInfo(
            "activation_overlap",
            "activation overlap",
            f"share of the neurons active under either prompt that are active under both, last layer, {_STATES}",
            (PROMPT, TEXTS, OWN),
            "forward",
        ),
        EstimatorInfo(
            "activation_cosine",
            "activation states",
            f"cosine of the activation states under the two prompts, last layer, {_STATES}",
            (PROMPT, TEXTS, OWN),
            "forward",
        ),
        EstimatorInfo(
            "hidden_cosine",
            "hidden states",
            f"cosine of the hidden states under the two prompts, {_STATES}",
            (PROMPT, TEXTS, OWN),
            "forward",
        ),
        EstimatorInfo(
            "logme",
            "LogME",
            "evidence of the target's labels given the hidden states under the source's prompt (You and others 2021)",
            (PROMPT, TEXTS),
            "forward",
        ),
        EstimatorInfo(
            "h_score",
            "H-score",
            "variance of the same states between the labels, relative to all of it; covariance shrunk, because there "
            "are fewer texts than dimensions (Bao and others 2019; Ibrahim and others 2021)",
            (PROMPT, TEXTS),
            "forward",
        ),
        EstimatorInfo(
            "loss",
            "loss before training",
            "minus the target's training loss under the source's prompt",
            (PROMPT, TEXTS),
            "forward",
        ),
        EstimatorInfo(
            "gradient",
            "gradient agreement",
            "cosine of the step that the target's loss asks for at the source's prompt and the step that the source "
            "took from its start: negative where the target would undo it",
            (PROMPT, TEXTS),
            "backward",
        ),
        EstimatorInfo("label_words", "label words", "answer words that both have, of those that either has"),
        EstimatorInfo("declared", "declared relatedness", "as the tasks were made: not known of real tasks"),
        EstimatorInfo("random", "random", "a random number"),
        EstimatorInfo(
            "oracle", "oracle", "mean transfer of the pair measured on the other seeds: an upper bound", (TRANSFER,)
        ),
    )
}
