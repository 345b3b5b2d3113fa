"""The training of a retrieval model: epochs, the best of them, and its evaluation."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack, nullcontext

import torch
from torch import Tensor

from crosscut_trainables.assessment import Assessment
from crosscut_trainables.asymmetry.texts import TextMaker
from crosscut_trainables.attention_picture import attention_picture
from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.batches import Batches, PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.domain import splits_of
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.objective import Objective
from crosscut_trainables.progress import Progress
from crosscut_trainables.randomness import seed_for
from crosscut_trainables.ranks import all_last
from crosscut_trainables.schedule import learning_rate
from crosscut_trainables.session import Gallery, Session, traced
from crosscut_trainables.state import copied
from crosscut_trainables.step import Step
from crosscut_trainables.stopwatch import Stopwatch
from crosscut_trainables.towers import towers_of

SELECTION = "dev/rsum"
"""The metric whose best epoch is kept."""
COLLAPSE_TOLERANCE = 1e-3
"""Share by which every batch's loss may differ from that of a collapsed model."""
TRACED = range(2, 7)
"""Batches of the first epoch that a trace shows, where one is wanted: those after the first, which is slower."""
PICTURES = 3
"""Captions of the dev split that are shown."""


def run(config: RetrievalConfig, session: Session) -> Evaluation:
    """Train, keep the best epoch by dev rsum, evaluate it. Raises `Diverged` for a loss that is no number."""
    return Training(config, session).run()


class Training:
    """One run under one session."""

    def __init__(self, config: RetrievalConfig, session: Session) -> None:
        self.config, self.session = config, session
        options = config.training
        if session.phase == "final":
            # What is wrong with a split is known before training, not after.
            splits_of(config)
        self.towers = towers = towers_of(config, session)
        augmentation = Augmentation(
            options.region_dropout, options.word_dropout, options.disturbance, towers.vocabulary
        )
        self.dev = towers.split("dev")
        self.prepared_dev = towers.prepared("dev")
        prepared = towers.prepared("train")
        self.batches = Batches(
            prepared,
            options.batch_size,
            session.seed,
            session.rank,
            session.world_size,
            session.device,
            augmentation,
            self._text_maker(prepared),
        )
        self.model = RetrievalModel(config, towers, session.seed)
        self.model.to(session.device)
        self.watch = Stopwatch(session.device)
        self.objective = Objective(config, self.model, session.world_size)
        self.step: Step | None = None
        if self.model.learnt:
            groups = self.model.groups(towers.encoder_rate)
            self.step = Step(options, self.objective, list(self.model.learnt.values()), groups, self.watch)
        self.assessment = Assessment(config, towers, self.model, session)
        self.progress = Progress()
        self.first = 1
        """The epoch that this process begins with."""

    def run(self) -> Evaluation:
        self._restore()
        options, progress = self.config.training, self.progress
        self.first = progress.epoch + 1
        # A model that learns nothing is only measured.
        epochs = 1 if self.step is None else options.epochs
        while progress.epoch < epochs and not progress.stopped:
            epoch = progress.epoch + 1
            metrics = {} if self.step is None else self._train(epoch, self.step)
            with nullcontext() if self.step is None else self.step.averaged():
                see = traced(self.session, "evaluation") if epoch == self.first else nullcontext()
                with see, self.watch.of("evaluation"):
                    found = self.assessment.recalls("dev")
                metrics |= found.metrics
                i2t, t2i = found.ranks.values()
                if all_last(i2t, t2i, len(self.prepared_dev.present)):
                    progress.health.alike.append(epoch)
                if not progress.best or metrics[SELECTION] > progress.best[SELECTION]:
                    progress.best = {
                        name: value for name, value in metrics.items() if name.startswith("dev/")
                    }
                    progress.weights = copied(self.model.state_dict())
            progress.epoch = epoch
            progress.history.append(metrics)
            # Reported before it is saved: a run that dies in between does the epoch, and its report, again. One
            # that is told to stop is not saved, so that, resumed, it is told so again.
            progress.stopped = self.session.report(epoch, metrics)
            if not progress.stopped:
                self._save()
        return self._finish()

    def _train(self, epoch: int, step: Step) -> dict[str, float]:
        """One epoch; its metrics. Nothing waits for the device before its end."""
        self.model.train()
        rate = 0.0
        generators = {
            name: torch.Generator().manual_seed(seed_for(self.session.seed, name, epoch))
            for name in self.objective.constraints
        }
        sums: dict[str, Tensor] = {}
        collapsed_at = self.config.loss.collapsed_at(self.batches.size, epoch)
        farthest = torch.zeros((), device=self.session.device)
        steepest = torch.zeros((), device=self.session.device)
        started = time.perf_counter()
        with ExitStack() as tracing:
            for batch in self.watch.each(self.batches.epoch(epoch), "data"):
                if epoch == self.first and batch.number == min(TRACED.start, len(self.batches) - 1):
                    tracing.enter_context(traced(self.session, "steps"))
                rate = learning_rate(self.config.training, epoch, batch.number, len(self.batches))
                number = (epoch - 1) * len(self.batches) + batch.number
                terms = step(batch, rate, seed_for(self.session.seed, "dropout", number), generators)
                steepest = torch.maximum(steepest, terms["grad_norm"])
                for name, value in terms.items():
                    sums[name] = sums[name] + value if name in sums else value
                if collapsed_at is not None:
                    distance = (terms["loss/match"] / collapsed_at - 1).abs()
                    farthest = torch.maximum(farthest, distance)
                if batch.number == TRACED[-1]:
                    tracing.close()
        names = list(sums)
        means = (torch.stack([sums[name] for name in names]) / len(self.batches)).tolist()
        self._watch(epoch, collapsed_at, float(farthest), float(steepest))
        seconds = time.perf_counter() - started
        metrics = dict(zip(names, means, strict=True))
        for name in sorted(metrics, key=lambda name: name == "loss/total"):
            if name.startswith("loss/") and not math.isfinite(metrics[name]):
                raise Diverged(f"epoch {epoch}: {name} is {metrics[name]}")
        if collapsed_at is not None:
            metrics["collapsed"] = float(epoch in self.progress.health.collapsed)
        metrics["lr"] = rate
        metrics["pairs_per_second"] = len(self.batches) * self.batches.size / max(seconds, 1e-9)
        return metrics

    def _watch(self, epoch: int, collapsed_at: float | None, farthest: float, steepest: float) -> None:
        """Remember an epoch in which nothing was learnt."""
        if collapsed_at is not None and farthest < COLLAPSE_TOLERANCE:
            self.progress.health.collapsed[epoch] = collapsed_at
        if steepest == 0:
            self.progress.health.still.append(epoch)

    def _text_maker(self, train: PreparedSplit) -> TextMaker | None:
        options = self.config.asymmetry
        if options is None:
            return None
        vocabulary, seed = self.towers.vocabulary, self.session.seed
        return TextMaker(options, train.ids, train.lengths, train.image_of, vocabulary, seed)

    def _finish(self) -> Evaluation:
        """The evaluation of the best epoch."""
        self.model.load_state_dict(self.progress.weights)
        self.model.eval()
        self._show()
        metrics = dict(self.progress.best)
        notes = (*self.towers.notes, *self.progress.health.notes)
        if self.session.phase == "search":
            return Evaluation(metrics, notes=notes, spent=self._spent())
        with self.watch.of("evaluation"):
            found = self.assessment.run()
        return Evaluation(
            metrics=metrics | found.metrics,
            ranks=found.ranks,
            values=found.values,
            traits=found.traits,
            rankings=found.rankings,
            examples=found.examples,
            splits=found.splits,
            notes=notes,
            spent=self._spent(),
        )

    def _spent(self) -> dict[str, float]:
        """Seconds by phase, those of earlier tries that were resumed included."""
        earlier, now = self.progress.spent, self.watch.seconds()
        return {phase: earlier.get(phase, 0.0) + seconds for phase, seconds in now.items()}

    def _show(self) -> None:
        """Show what the words of some dev captions attend to, where somebody watches."""
        if self.session.rank != 0 or not isinstance(self.session, Gallery):
            return
        if not self.config.comparison.exposes_attention or not self.dev.has_boxes:
            return
        examples = [
            one
            for one in self.assessment.examples("dev", PICTURES)
            if one.attention is not None and one.words
        ]
        if examples:
            self.session.picture(self.progress.epoch, "attention/dev", attention_picture(examples))

    def _save(self) -> None:
        state = {
            "progress": self.progress.state() | {"spent": self._spent()},
            "model": self.model.state_dict(),
            "step": None if self.step is None else self.step.state(),
        }
        self.session.save(copied(state, "cpu"))

    def _restore(self) -> None:
        state = self.session.restore()
        if state is None:
            return
        progress = copied(state["progress"])
        self.progress = Progress.restored(
            {**progress, "weights": copied(progress["weights"], self.session.device)}
        )
        self.model.load_state_dict(state["model"])
        if self.step is not None:
            self.step.restore(copied(state["step"]))
