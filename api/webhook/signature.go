package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Why a delivery is refused; the sender is told no more than this.
var (
	errUnsigned  = errors.New("the delivery is not signed: set the same secret at the Git host and in GitOps.Webhook.Secret")
	errSignature = errors.New("the signature does not fit the body: is the secret the same at the Git host and in GitOps.Webhook.Secret?")
	errStale     = errors.New("the delivery was signed more than five minutes away from this node's time")
	errProvider  = errors.New("the delivery is not from the kind of Git host that GitOps.Webhook.Provider names")
)

// tolerance is how far a signed time may be from this node's; Standard Webhooks
// says five minutes.
const tolerance = 5 * time.Minute

// received is one delivery before anything of it is believed.
type received struct {
	header http.Header
	body   []byte
	now    time.Time
}

// single returns a header that may be there once: of two, nobody can say which
// one a proxy in between went by.
func (r received) single(name string) (value string, sent bool) {
	switch values := r.header.Values(name); len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	default:
		return "", true
	}
}

// hmacHeaders checks the first of several headers that was sent: hexadecimal
// HMAC-SHA256 of the raw body, with or without "sha256=" before it.
func hmacHeaders(names ...string) func(received, string) error {
	return func(r received, secret string) error {
		for _, name := range names {
			if signature, sent := r.single(name); sent {
				return checkHex(signature, secret, r.body)
			}
		}
		return errUnsigned
	}
}

func checkHex(signature, secret string, body []byte) error {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil || !hmac.Equal(given, sum([]byte(secret), body)) {
		return errSignature
	}
	return nil
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// checkGitlab goes by the signature where there is one, else by the token.
func checkGitlab(r received, secret string) error {
	if _, signed := r.single("Webhook-Signature"); signed {
		return checkStandard(r, secret)
	}
	token, sent := r.single("X-Gitlab-Token")
	if !sent {
		return errUnsigned
	}
	// The sums have one length, so that the comparison shows nothing of the secret's.
	given, wanted := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(given[:], wanted[:]) != 1 {
		return errSignature
	}
	return nil
}

// checkGeneric goes by whatever header of the usual ones was sent.
func checkGeneric(r received, secret string) error {
	if _, signed := r.single("Webhook-Signature"); signed {
		return checkStandard(r, secret)
	}
	return hmacHeaders("X-Signature", "X-Signature-256", "X-Hub-Signature-256", "X-Hub-Signature")(r, secret)
}

// checkStandard checks a signature as https://www.standardwebhooks.com has it:
// HMAC-SHA256 over id, time and body in base64, any of several "v1,…".
func checkStandard(r received, secret string) error {
	id, _ := r.single("Webhook-Id")
	stamp, _ := r.single("Webhook-Timestamp")
	signatures, _ := r.single("Webhook-Signature")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" {
		return errSignature
	}
	wanted := sum(standardKey(secret), []byte(id), []byte("."), []byte(stamp), []byte("."), r.body)
	good := false
	for _, one := range strings.Fields(signatures) {
		version, encoded, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(encoded)
		good = good || (version == "v1" && err == nil && hmac.Equal(given, wanted))
	}
	if !good {
		return errSignature
	}
	if away := r.now.Sub(time.Unix(seconds, 0)).Abs(); away > tolerance {
		return errStale
	}
	return nil
}

// standardKey is the key that a secret stands for: the bytes behind "whsec_", or
// the text itself.
func standardKey(secret string) []byte {
	encoded, marked := strings.CutPrefix(secret, "whsec_")
	if !marked {
		return []byte(secret)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return []byte(secret)
	}
	return key
}
