-- Moves with each commit that ends tokens before their time; nodes remember tokens while it stands still.
ALTER TABLE tenant ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;
