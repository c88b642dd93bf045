//! Text: the seeded generator of the bundled world, and plain text files.
