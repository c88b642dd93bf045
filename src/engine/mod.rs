//! Simulated time: tasks, resources, barriers and their trace.
