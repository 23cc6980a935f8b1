"""Re-exports for migrations, which name this path."""

from core.folding import FoldedField, fold_accents, fold_address, fold_anew, fold_case

__all__ = ["FoldedField", "fold_accents", "fold_address", "fold_anew", "fold_case"]
