"""Linux' libraries without what nobody loads: the names of functions, notes for debuggers."""

import struct

# "Executable and Linkable Format", Tool Interface Standard 1.2, for 64 bits as the System V ABI
# has it: the header's fields up to e_shstrndx, and the first ones of a segment.
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQ")
_MAGIC = b"\x7fELF\x02\x01"  # of 64 bits, little endian


def is_elf(data: bytes) -> bool:
    """Whether these are the bytes of a 64-bit Linux library."""
    return data.startswith(_MAGIC)


def loaded_part(data: bytes) -> bytes:
    """The same library, with zeros where no segment is; those compress to nothing.

    The loader goes by segments alone. Symbols and debug notes lie in sections outside of them, so
    this is what `strip` does and the table of sections besides; unlike `strip` it moves nothing,
    needs no tool of the machine, and takes libvips, which `strip` breaks.
    """
    header = list(_HEADER.unpack_from(data))
    start, size, count = header[5], header[9], header[10]
    spans = [(0, _HEADER.size), (start, start + size * count)]
    for at in range(start, start + size * count, size):
        _, _, offset, _, _, length = _SEGMENT.unpack_from(data, at)
        spans.append((offset, offset + length))
    kept = bytearray(max(end for _, end in spans))
    for begin, end in spans:
        kept[begin:end] = data[begin:end]
    # There are no sections any more: e_shoff, e_shentsize, e_shnum, e_shstrndx.
    header[6] = header[11] = header[12] = header[13] = 0
    _HEADER.pack_into(kept, 0, *header)
    return bytes(kept)
