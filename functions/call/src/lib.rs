//! Runs due call steps: dial prompts and AI calls.
