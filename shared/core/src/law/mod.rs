//! What the law asks: windows, holidays, zones.
