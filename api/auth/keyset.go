package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// How often the issuer is asked for its keys at most, and how long a key that
// it no longer shows may go on to be accepted.
const (
	issuerPause = 2 * time.Second
	keysKept    = 5 * time.Minute
	maxKeySet   = 1 << 20
)

var (
	errNotSigned  = errors.New("its signature is not right")
	errUnknownKey = errors.New("it is signed with a key that the issuer does not show")
)

// keySet is an issuer's keys. The library's own asks the issuer for each key
// that it does not know, which strangers could have it do as often as they
// like, and keeps what it saw for ever.
type keySet struct {
	url        string
	client     *http.Client
	algorithms []jose.SignatureAlgorithm
	now        func() time.Time

	mu sync.Mutex
	// keys are from fetched; asked is when the issuer was asked last, whether it answered or not.
	keys           []jose.JSONWebKey
	fetched, asked time.Time
}

// VerifySignature returns the payload of a token that one of the keys signed. It implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(token, k.algorithms)
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, errNotSigned
	}
	candidates := k.find(ctx, parsed.Signatures[0].Header.KeyID)
	for _, key := range candidates {
		if payload, err := parsed.Verify(key); err == nil {
			return payload, nil
		}
	}
	if len(candidates) == 0 {
		return nil, errUnknownKey
	}
	return nil, errNotSigned
}

// find returns the keys with an id; all of them if the token names none.
func (k *keySet) find(ctx context.Context, id string) []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := k.named(id)
	now := k.now()
	if (len(found) == 0 || now.Sub(k.fetched) >= keysKept) && now.Sub(k.asked) >= issuerPause {
		k.asked = now
		if keys, err := k.fetch(ctx); err == nil {
			k.keys, k.fetched = keys, now
			found = k.named(id)
		}
	}
	return found
}

func (k *keySet) named(id string) []jose.JSONWebKey {
	if id == "" {
		return k.keys
	}
	var found []jose.JSONWebKey
	for _, key := range k.keys {
		if key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

// fetch asks the issuer. Keys that could also have made a signature are left out.
func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %s", response.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(response.Body, maxKeySet)).Decode(&set); err != nil {
		return nil, err
	}
	var usable []jose.JSONWebKey
	for _, key := range set.Keys {
		if key.Valid() && key.IsPublic() && key.Use != "enc" {
			usable = append(usable, key)
		}
	}
	return usable, nil
}
