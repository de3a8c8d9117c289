"""The byte stream of one client connection: a four-letter word told apart from frames, the frames cut.

stream: four letters | (length i32 BE, body)*      The letters count only before the first frame.

Invariants:
1. Frames leave in the order of their bytes, each exactly once.
2. A stream that began with a four-letter word never yields a frame, and one that yielded a frame never a word.

Source: ZooKeeper NIOServerCnxn.readLength, FourLetterCommands.
"""

from typing import Final, final

from zkbridge.errors import ProtocolError
from zkbridge.jute.frames import FrameSplitter
from zkbridge.jute.wire import JuteError

_TELNET_CLOSE: Final = b"\xff\xf4\xff\xfd"
MASK_BYTES: Final = 8
"""`stmk` is followed by its trace mask."""

FOUR_LETTER_WORDS: Final[frozenset[bytes]] = frozenset(
    b"conf cons crst dirs dump envi gtmk isro mntr ruok srst srvr stat stmk wchc wchp wchs hash".split()
)


@final
class ClientStream:
    """`four_letter_word` is set when the stream began with one. stmk's `mask` is shorter than `MASK_BYTES` until all of
    it came: whether the word is answered at all does not depend on it."""

    __slots__ = ("_began", "_splitter", "four_letter_word", "mask")

    def __init__(self, frame_bytes_max: int) -> None:
        self._splitter: Final = FrameSplitter(frame_bytes_max)
        self._began = False
        self.four_letter_word: str | None = None
        self.mask = b""

    def receive_bytes(self, data: bytes) -> list[bytes]:
        """Returns the bodies of the frames that are now whole. Raises ProtocolError on a length that can't be, once the
        frames before it were returned: while the list is not empty, `take_frames` again."""
        self._splitter.receive_bytes(data)
        if not self._began and not self._begin():
            return []
        return self.take_frames()

    def take_frames(self) -> list[bytes]:
        """The frames behind those that were taken. Raises ProtocolError as above."""
        try:
            return self._splitter.take_frames()
        except JuteError as error:
            raise ProtocolError(str(error)) from error

    def buffered_size(self) -> int:
        """Bytes of the unfinished frame."""
        return self._splitter.buffered_size()

    def _begin(self) -> bool:
        """Whether the stream is one of frames; not known, hence False, before its first four bytes."""
        word = self._splitter.peek(4)
        if len(word) < 4:
            return False
        if word == _TELNET_CLOSE:
            raise ProtocolError("telnet closed the connection")
        if word in FOUR_LETTER_WORDS:
            if word == b"stmk":
                self.mask = self._splitter.peek(4 + MASK_BYTES)[4:]
            self.four_letter_word = word.decode("ascii")
            return False
        self._began = True
        return True
