"""The audit log: who saw or changed what of a person, when and why, chained so that nobody can change it unseen."""
