//! The radio: fading, link rates and the over-the-air signal chain.
