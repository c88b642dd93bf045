//! A scene as the bytes of a file.

pub mod svg;
