//! The programs: how a forward pass is spread over devices and radio.
