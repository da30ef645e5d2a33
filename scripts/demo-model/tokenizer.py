"""A small vocabulary of pieces of words, and the way llama.cpp's SentencePiece tokenizer uses it: neighbours whose
union is in the vocabulary are joined, those with the best score first. A text without a piece falls back to bytes."""

import re
from collections import Counter

SPACE = "\u2581"
SPECIALS = ["<unk>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
UNKNOWN, BEGIN, END, SYSTEM, USER, ASSISTANT = range(len(SPECIALS))
FIRST_BYTE = len(SPECIALS)
FIRST_PIECE = FIRST_BYTE + 256

# Pieces do not reach over these borders; a space belongs to the word behind it.
WORD = re.compile(f"{SPACE}?[A-Za-z]+|{SPACE}?[0-9]|{SPACE}?[^A-Za-z0-9{SPACE}]|{SPACE}")


class Tokenizer:
    def __init__(self, pieces):
        """`pieces`: characters first, then unions in the order in which they were made."""
        self.pieces = pieces
        self.ids = {piece: FIRST_PIECE + rank for rank, piece in enumerate(pieces)}

    @property
    def size(self):
        return FIRST_PIECE + len(self.pieces)

    def encode(self, text):
        """Ids of the text, without any special token."""
        symbols = list(text.replace(" ", SPACE))
        while True:
            best = min(
                ((self.ids[a + b], i) for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if a + b in self.ids),
                default=None,
            )
            if best is None:
                break
            at = best[1]
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
        return [id for symbol in symbols for id in self._ids_of(symbol)]

    def _ids_of(self, symbol):
        if symbol in self.ids:
            return [self.ids[symbol]]
        return [FIRST_BYTE + byte for byte in symbol.encode()]

    def text_of(self, id):
        """A token as it stands in the GGUF file."""
        if id < FIRST_BYTE:
            return SPECIALS[id]
        if id < FIRST_PIECE:
            return f"<0x{id - FIRST_BYTE:02X}>"
        return self.pieces[id - FIRST_PIECE]


def learn_pieces(texts, size):
    """Byte-pair encoding over characters: the most frequent neighbours become a piece, until there are `size` ids."""
    words = Counter(word for text in texts for word in WORD.findall(text.replace(" ", SPACE)))
    letters = sorted({letter for word in words for letter in word} | {chr(code) for code in range(33, 127)} | {SPACE, "\n"})
    pieces = list(letters)
    split = {word: list(word) for word in words}
    while FIRST_PIECE + len(pieces) < size:
        pairs = Counter()
        for word, symbols in split.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        # Ties are broken by the text, so that the same texts give the same vocabulary.
        (a, b), count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if count < 2:
            break
        pieces.append(a + b)
        for word, symbols in split.items():
            split[word] = join(symbols, a, b)
    return pieces


def join(symbols, a, b):
    joined = []
    for symbol in symbols:
        if joined and joined[-1] == a and symbol == b:
            joined[-1] = a + b
        else:
            joined.append(symbol)
    return joined
