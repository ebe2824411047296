package postgis

import (
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// pair is one keyword of a connection string and its value.
type pair struct{ key, value string }

// parsePairs reads the grammar of .NET's DbConnectionStringBuilder: key=value pairs between semicolons, where a value
// may stand in single or double quotes, doubled inside, and == in a key is an equals sign.
func parsePairs(text string) ([]pair, error) {
	var pairs []pair
	for {
		text = strings.TrimLeft(text, "; \t\r\n")
		if text == "" {
			return pairs, nil
		}
		key, rest, err := cutKey(text)
		if err != nil {
			return nil, err
		}
		value, rest, err := cutValue(key, rest)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{key: key, value: value})
		text = rest
	}
}

// cutKey returns the keyword and what follows its equals sign.
func cutKey(text string) (key, rest string, err error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "=")
		if !found || strings.Contains(before, ";") {
			// The text may be the second half of a password with a semicolon in it: it is not shown.
			return "", "", fmt.Errorf("%w: a part of it is no key=value; put a value that holds ; into quotes",
				registry.ErrConnectionString)
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, "=") {
			return strings.TrimSpace(b.String()), after, nil
		}
		b.WriteByte('=')
		text = after[1:]
	}
}

// cutValue returns the value and what follows its semicolon.
func cutValue(key, text string) (value, rest string, err error) {
	text = strings.TrimLeft(text, " \t\r\n")
	if text == "" || text[0] != '\'' && text[0] != '"' {
		value, rest, _ = strings.Cut(text, ";")
		return strings.TrimSpace(value), rest, nil
	}
	quote := text[:1]
	var b strings.Builder
	for text = text[1:]; ; {
		before, after, closed := strings.Cut(text, quote)
		if !closed {
			return "", "", fmt.Errorf("%w: the quoted value of %s does not end", registry.ErrConnectionString, shownKey(key))
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, quote) {
			text = strings.TrimLeft(after, " \t\r\n")
			break
		}
		b.WriteString(quote)
		text = after[1:]
	}
	if text != "" && text[0] != ';' {
		return "", "", fmt.Errorf("%w: something follows the quoted value of %s", registry.ErrConnectionString, shownKey(key))
	}
	return b.String(), strings.TrimPrefix(text, ";"), nil
}

// shownKey quotes a keyword that is known; another one may be part of a secret.
func shownKey(key string) string {
	if _, known := keywords()[foldKey(key)]; known {
		return fmt.Sprintf("%q", key)
	}
	return "a keyword"
}

// foldKey makes the spellings of a keyword one: Npgsql and libpq differ in case, blanks and underscores.
func foldKey(key string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(key))
}
