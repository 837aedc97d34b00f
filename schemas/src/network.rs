//! What the steps of task `network` hand to each other.
