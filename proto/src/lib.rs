//! What is said on the wires: pure types and codecs, without I/O, async or a clock.
