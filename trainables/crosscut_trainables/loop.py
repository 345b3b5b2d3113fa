"""The training of a retrieval model: epochs, the best of them, and its evaluation."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext

from crosscut_trainables.assessment import Assessment
from crosscut_trainables.asymmetry.texts import TextMaker
from crosscut_trainables.attention_picture import attention_picture
from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.batches import Batches, PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.domain import splits_of
from crosscut_trainables.epoch import Epoch
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.objective import Objective
from crosscut_trainables.progress import Progress
from crosscut_trainables.ranks import all_last
from crosscut_trainables.session import Gallery, Session, traced
from crosscut_trainables.state import copied
from crosscut_trainables.step import Step, step_together
from crosscut_trainables.stopwatch import Stopwatch
from crosscut_trainables.towers import towers_of

SELECTION = "dev/rsum"
"""The metric whose best epoch is kept."""
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
        self.begin()
        while self.going:
            self.assess({} if self.step is None else self.train(self.step))
        return self.finish()

    @property
    def going(self) -> bool:
        """Whether there is an epoch to come."""
        # A model that learns nothing is only measured.
        epochs = 1 if self.step is None else self.config.training.epochs
        return self.progress.epoch < epochs and not self.progress.stopped

    def begin(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        self._restore()
        self.first = self.progress.epoch + 1

    def epoch(self) -> Epoch:
        """The epoch to come."""
        session, constraints = self.session, self.objective.constraints
        number = self.progress.epoch + 1
        return Epoch(self.config, session.seed, self.batches, constraints, number, session.device)

    def assess(self, metrics: dict[str, float]) -> None:
        """Measure the model after an epoch with these metrics, report and save it."""
        progress = self.progress
        epoch = progress.epoch + 1
        with nullcontext() if self.step is None else self.step.averaged():
            see = traced(self.session, "evaluation") if epoch == self.first else nullcontext()
            with see, self.watch.of("evaluation"):
                found = self.assessment.recalls("dev")
            metrics = metrics | found.metrics
            i2t, t2i = found.ranks.values()
            if all_last(i2t, t2i, len(self.prepared_dev.present)):
                progress.health.alike.append(epoch)
            if not progress.best or metrics[SELECTION] > progress.best[SELECTION]:
                progress.best = {name: value for name, value in metrics.items() if name.startswith("dev/")}
                progress.weights = copied(self.model.state_dict())
        progress.epoch = epoch
        progress.history.append(metrics)
        # Reported before it is saved: a run that dies in between does the epoch, and its report, again. One
        # that is told to stop is not saved, so that, resumed, it is told so again.
        progress.stopped = self.session.report(epoch, metrics)
        if not progress.stopped:
            self._save()

    def train(self, step: Step) -> dict[str, float]:
        """Train for the epoch to come; its metrics."""
        self.model.train()
        epoch = self.epoch()
        with ExitStack() as tracing:
            for batch in self.watch.each(self.batches.epoch(epoch.number), "data"):
                if epoch.number == self.first and batch.number == min(TRACED.start, len(self.batches) - 1):
                    tracing.enter_context(traced(self.session, "steps"))
                (terms,) = step_together([epoch.stride(step, batch)])
                epoch.add(terms)
                if batch.number == TRACED[-1]:
                    tracing.close()
        return epoch.end(self.progress.health)

    def _text_maker(self, train: PreparedSplit) -> TextMaker | None:
        options = self.config.asymmetry
        if options is None:
            return None
        vocabulary, seed = self.towers.vocabulary, self.session.seed
        return TextMaker(options, train.ids, train.lengths, train.image_of, vocabulary, seed)

    def finish(self) -> Evaluation:
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
