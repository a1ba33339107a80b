"""Settings as people read them, with unit or symbol. Identifiers are for the command line."""

TITLES = {
    # training
    "prompt_length": "Prompt length (vectors)",
    "epochs": "Epochs (at most)",
    "lr": "Learning rate",
    "batch_size": "Batch size (examples)",
    "shots": "Training examples per class",
    "validation_shots": "Validation examples per class",
    "test_shots": "Test examples per class",
    "patience": "Patience (epochs)",
    "patience_from": "Patience: epochs ignored",
    "max_length": "Maximum length (tokens)",
    "clip": "Gradient clipping (norm)",
    "beams": "Beams (decoding)",
    "repetition_penalty": "Repetition penalty",
    "matching": "Matching of answers",
    "scored_on": "Scores measured on",
    # SHLPT
    "threshold": "Threshold δ",
    "temperature": "Temperature τ of α",
    "estimator_width": "Estimator width r",
    "estimator_center": "Subtract mean text",
    "estimator_score": "Score of similarity",
    "estimator_lr": "Estimator learning rate",
    "estimator_warmup": "Estimator warm-up (epochs)",
    "estimator_prior": "Prior of similarity",
    "lambda_hsc": "λ1: weight of HSC",
    "lambda_asc": "λ2: weight of ASC",
    "tau_hsc": "Temperature of HSC",
    "tau_asc": "Temperature of ASC",
    "similar_transfer": "Mix in similar prompts",
    "own_start": "Start of the own prompt",
    "hsc_positions": "HSC: decoder positions",
    "asc_states": "ASC: activation states",
    # other methods
    "pool_size": "Pool size (prompts)",
    "top_n": "Prompts per text",
    "lambda_pull": "Weight of the key loss",
    "components": "Components per task",
    "lambda_ortho": "Weight of orthogonality",
    "first_share": "First stage (share of epochs)",
    "source_share": "Source phase (share of steps)",
    "prior_sigma": "Prior width σ",
    "similar_share": "Chance of being similar",
    "ewc_strength": "EWC strength λ",
    "fisher": "Fisher information",
    "ewc_decay": "Fisher decay γ",
    "memory_size": "Memory size (examples)",
    "replay_rows": "Replayed examples per step",
    # what a run is
    "dtype": "Number format",
}


# Values of settings that are chosen from a list. Plain words are not here; what is typed stays as it is.
VALUES: dict[str, dict[str, str]] = {
    "partition": {"batch_mean": "by the mean of a batch", "instance": "for each text"},
    "estimator": {
        "fresh": "new for each task",
        "carried": "carried over from the task before",
        "uniform": "none, equal α",
    },
    "estimator_score": {"product": "inner product"},
    "estimator_prior": {"evidence": "evidence (LogME)", "evidence_or_none": "evidence (LogME), or no task"},
    "own_start": {"words": "random words"},
    "asc_states": {"value": "values", "sign_ste": "signs, straight-through"},
    "scored_on": {"test": "test texts", "validation": "validation texts"},
    "fisher": {"normalised": "divided by its mean"},
    "memory": {"per_task": "equal share for each task", "reservoir": "reservoir of all tasks"},
}

# Settings that belong together, in the order of a form. What is in no group comes first or last, as the form decides.
GROUPS: dict[str, tuple[str, ...]] = {
    "Similarity": ("threshold", "temperature", "partition", "similar_transfer", "own_start", "similar_pairs"),
    "Estimator": (
        "estimator",
        "estimator_width",
        "estimator_center",
        "estimator_score",
        "estimator_lr",
        "estimator_warmup",
        "estimator_prior",
    ),
    "Contrastive losses": ("lambda_hsc", "lambda_asc", "tau_hsc", "tau_asc", "hsc_positions", "asc_states"),
    "Examples": ("validation_shots", "test_shots", "max_length", "scored_on", "matching"),
    "Optimiser": ("batch_size", "weight_decay", "clip", "patience", "patience_from"),
    "Decoding": ("beams", "repetition_penalty"),
}


def title_of(name: str) -> str:
    """The title of a setting; names that are words already only get a capital letter."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def value_of(name: str, value: str) -> str:
    """The title of a setting's value."""
    return VALUES.get(name, {}).get(value, value)
