package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// TokenPrefix begins every token of a cluster, so that scanners for leaked
// secrets, and people, see what it is.
const TokenPrefix = "honua_"

const tokenBytes = 32

// ErrToken says that a text is no token.
var ErrToken = errors.New("this is not a token of a Honua cluster")

func tokenEncoding() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// NewToken makes a token of 256 random bits.
func NewToken() (string, error) {
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return TokenPrefix + tokenEncoding().EncodeToString(secret), nil
}

// HashToken returns the hash by which the cluster knows a token; ErrToken for
// what NewToken cannot have made. One hash is enough: there are too many tokens to guess.
func HashToken(token string) ([sha256.Size]byte, error) {
	encoded, found := strings.CutPrefix(token, TokenPrefix)
	secret, err := tokenEncoding().DecodeString(encoded)
	// Each token has one spelling: the decoder does not look at the bits that are left over.
	if !found || err != nil || len(secret) != tokenBytes || tokenEncoding().EncodeToString(secret) != encoded {
		return [sha256.Size]byte{}, ErrToken
	}
	return sha256.Sum256([]byte(token)), nil
}
