//! SNMPv3 message processing and the user-based security model (RFC 3412, 3414, 3826, 7860).
