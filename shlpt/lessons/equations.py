"""The paper's equations for figures, also without internet."""

PAPER = "https://arxiv.org/abs/2406.12251"
EQUATIONS: dict[int, tuple[str, str]] = {
    1: (
        r"r_T = \epsilon_T(A(\emptyset, T)) - \epsilon_T(A(S, T))",
        "Transfer: test error of the target learned alone minus its error learned after the source.",
    ),
    3: (
        r"\tilde X = \mathrm{LayerNorm}(\mathrm{SiLU}(\hat X W_{down}) W_{up})",
        "The estimator maps the pooled text into the space of the prompts.",
    ),
    4: (
        r"\alpha_i(X) = \frac{e^{\tilde X \hat P^i / \tau}}{\sum_{j<t} e^{\tilde X \hat P^j / \tau}}",
        "Similarity of a text to each earlier task. As published, the similarities of a text add up to 1. By default "
        "the evidence of the task's labels is added to the exponents, and “none of them” is a further alternative.",
    ),
    5: (
        r"\text{similar: } \alpha_i > \delta, \text{ dissimilar: } \alpha_i \le \delta",
        "The threshold δ divides the earlier tasks into similar and dissimilar ones.",
    ),
    6: (
        r"P(X) = \sum_{j<t} \tilde\alpha_j(X) P^j + P^t",
        "The weighted prompts of similar tasks are added to the new prompt.",
    ),
    7: (
        r"\hat\alpha_i = \alpha_i \text{ if } \alpha_i > \delta, \text{ else } 0",
        "Dissimilar tasks get weight 0. The other weights are scaled to add up to 1.",
    ),
    8: (
        r"L_{HSC} = -\log \frac{e^{\cos(h,h)/\tau}}{e^{\cos(h,h)/\tau} + \sum_k e^{\cos(h,h_k)/\tau}}",
        "Pushes the last hidden state away from those that dissimilar prompts produce.",
    ),
    10: (
        r"m = 1 - \mathrm{sign}(s_0), \quad \hat s = s \odot m",
        "Leaves out the neurons that the text activates without any prompt.",
    ),
    11: (
        r"L_{ASC} = -\log \frac{e^{\cos(\hat s,\hat s)/\tau}}"
        r"{e^{\cos(\hat s,\hat s)/\tau} + \sum_k e^{\cos(\hat s,\hat s_k)/\tau}}",
        "Pushes the activation states away from those that dissimilar prompts produce.",
    ),
    12: (
        r"L = L_{Down} + \lambda_1 L_{HSC} + \lambda_2 L_{ASC}",
        "Total loss: the loss of the task plus the two contrastive losses.",
    ),
}
