package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Fingerprint is a hash of everything that the model says. Two models parsed from the same files have the same one; a
// model that something has changed since has another.
func (m *Model) Fingerprint() (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
