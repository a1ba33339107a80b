import torch
from hypothesis import given
from hypothesis import strategies as st

from shlpt.backbone.encode import Batch, Encoded, joined, order
from shlpt.backbone.t5 import IGNORE, Backbone
from shlpt.tasks.pocket import TASKS


@given(count=st.integers(1, 60), size=st.integers(1, 20), epoch=st.integers(0, 5))
def test_an_epoch_visits_every_row_once(count: int, size: int, epoch: int) -> None:
    batches = order(42, "yelp", epoch, count, size)
    assert sorted(row for batch in batches for row in batch) == list(range(count))
    assert all(len(batch) <= size for batch in batches)


def test_order_depends_on_seed_task_and_epoch_alone() -> None:
    first = order(42, "yelp", 0, 50, 8)
    assert first == order(42, "yelp", 0, 50, 8)
    assert first not in (order(43, "yelp", 0, 50, 8), order(42, "sst2", 0, 50, 8), order(42, "yelp", 1, 50, 8))


def test_a_batch_has_no_padding_that_no_row_needs(backbone: Backbone) -> None:
    data = Encoded(backbone, [*TASKS["yelp"].draw("train", 2, 42), *TASKS["rte"].draw("train", 2, 42)], 256)
    shortest = data.lengths.index(min(data.lengths))
    batch = data.batch([shortest])
    assert batch.mask.all()
    assert batch.ids.shape[1] == min(data.lengths) < data.ids.shape[1]
    entailed = next(i for i, e in enumerate(data.examples) if e.target == "entailment")
    assert data.batch([entailed]).labels.shape[1] < data.labels.shape[1]


def test_batches_for_evaluation_hold_every_row_with_its_own_text(backbone: Backbone) -> None:
    data = Encoded(backbone, TASKS["squad"].draw("test", 9, 0), 256)
    seen = {
        row: text
        for batch in data.batches(4)
        for row, text in zip(batch.rows.tolist(), backbone.text(batch.ids), strict=True)
    }
    assert sorted(seen) == list(range(len(data)))
    whole = backbone.text(data.ids)
    assert all(seen[row] == whole[row] for row in seen)


def test_digest_follows_the_examples(backbone: Backbone) -> None:
    one, two = (Encoded(backbone, TASKS["sst2"].draw("train", 4, seed), 256) for seed in (1, 2))
    assert one.digest == Encoded(backbone, TASKS["sst2"].draw("train", 4, 1), 256).digest != two.digest
    assert torch.equal(one.batch([0]).ids, one.batch([0]).ids)


def test_joined_batches_are_padded_to_the_longest_and_their_padding_does_not_count() -> None:
    one = Batch(torch.tensor([[5, 6, 1]]), torch.tensor([[1, 1, 1]]), torch.tensor([[7, 1]]), torch.tensor([3]))
    two = Batch(torch.tensor([[8, 1]]), torch.tensor([[1, 1]]), torch.tensor([[9, 4, 1]]), torch.tensor([0]))
    both = joined([one, two])
    assert both.ids.tolist() == [[5, 6, 1], [8, 1, 0]]
    assert both.mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert both.labels.tolist() == [[7, 1, IGNORE], [9, 4, 1]]
    assert both.rows.tolist() == [3, 0]
