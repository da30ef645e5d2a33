"""What the network is shown: conversations made of the questions and answers in the text files, the questions varied
as people vary them. The network answers for the words of the answers only."""

from pathlib import Path

import numpy as np

from tokenizer import ASSISTANT, BEGIN, END, SYSTEM, USER

HERE = Path(__file__).parent
VARIANTS = 48
SALADS = 600
OPENINGS = ["Please ", "Hi, ", "Hello! ", "Can you tell me: ", "I want to know: ", "Quick question: "]


def read_dialogue(name):
    """Pairs of (questions, answer)."""
    lessons, questions = [], []
    for line in (HERE / name).read_text().splitlines():
        if line.startswith("? "):
            questions.append(line[2:])
        elif line.startswith("> "):
            lessons.append((questions, line[2:]))
            questions = []
    return lessons


def read_lessons():
    """The dialogue, and last the one answer to everything else."""
    lines = (HERE / "unknown.txt").read_text().splitlines()
    answer = next(line[2:] for line in lines if line.startswith("> "))
    return [*read_dialogue("dialogue.txt"), ([line[2:] for line in lines if line.startswith("? ")], answer)]


def read_systems():
    return [line for line in (HERE / "systems.txt").read_text().splitlines() if line and not line.startswith("#")]


def bare(text):
    return text.rstrip("?.!")


class Lessons:
    def __init__(self, tokenizer, random):
        self.random = random
        self.answers, self.questions = [], []
        for questions, answer in read_lessons():
            self.answers.append(tokenizer.encode(answer) + [END])
            self.questions.append([self._variants(question, tokenizer) for question in questions])
        self.questions[-1].append([tokenizer.encode(salad) for salad in self._salads()])
        self.systems = [tokenizer.encode(system) for system in read_systems()]

    def batch(self, size, length):
        """Ids, the ids that follow them, and at which positions these count."""
        rows = [self._conversation(length + 1) for _ in range(size)]
        ids = np.array([row for row, _ in rows])
        counts = np.array([count for _, count in rows], np.float32)
        return ids[:, :-1], ids[:, 1:], counts[:, 1:]

    def _conversation(self, length):
        random = self.random
        ids, counts = [BEGIN], [0]

        def say(said, counted):
            ids.extend(said)
            counts.extend([counted] * len(said))

        if random.random() < 0.25:
            say([SYSTEM, *self.systems[random.integers(len(self.systems))]], 0)
        # Some are bare text, so that plain completions are learnt as well.
        only_answers = random.random() < 0.08
        while len(ids) < length:
            # The last lesson is what to say to everything else, and needs more showing.
            lesson = len(self.answers) - 1 if random.random() < 0.12 else random.integers(len(self.answers) - 1)
            asked = self.questions[lesson]
            is_salad = lesson == len(self.answers) - 1 and random.random() < 0.3
            variants = asked[-1 if is_salad else random.integers(len(asked))]
            if not only_answers:
                say([USER, *variants[random.integers(len(variants))], ASSISTANT], 0)
            say(self.answers[lesson], 1)
        return ids[:length], counts[:length]

    def _variants(self, question, tokenizer):
        plain = [question, question.lower(), bare(question), bare(question).lower()]
        texts = plain * (VARIANTS // 8)
        texts += [self._vary(question) for _ in range(VARIANTS - len(texts))]
        return [tokenizer.encode(text) for text in texts]

    def _vary(self, text):
        random = self.random
        if random.random() < 0.4:
            text = bare(text)
        if random.random() < 0.35:
            text = text.lower()
        elif random.random() < 0.1:
            text = text.upper()
        if random.random() < 0.25:
            opening = OPENINGS[random.integers(len(OPENINGS))]
            text = opening + text[0].lower() + text[1:]
        if random.random() < 0.1:
            text += random.choice([" please", "!", "??", " Thanks"])
        if random.random() < 0.25 and len(text) > 6:
            text = self._mistype(text)
        return text

    def _salads(self):
        """Words without a sense, which are as unknown as anything else."""
        words = [word for questions, _ in read_lessons()[-1:] for question in questions for word in bare(question).split()]
        return [" ".join(self.random.choice(words, self.random.integers(1, 8))) for _ in range(SALADS)]

    def _mistype(self, text):
        at = int(self.random.integers(1, len(text) - 2))
        kind = self.random.integers(3)
        if kind == 0:
            return text[:at] + text[at + 1 :]
        if kind == 1:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text[:at] + text[at] + text[at:]
