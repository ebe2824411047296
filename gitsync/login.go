package gitsync

import "fmt"

// SplitLogin takes user and password out of an http or https address, for what
// other nodes get to see; the user of an SSH address is no secret and a part of
// it. An address that cannot be taken apart is returned as it is, unless there
// may be a secret in it: then the error, which quotes none, is ErrConfig.
func SplitLogin(address string) (clean, username, password string, err error) {
	r, err := parseRemote(address)
	switch shown := Redact(address); {
	case err != nil && shown != address:
		return "", "", "", err
	case shown == redacted:
		return "", "", "", fmt.Errorf("%w: the repository URL seems to hold a password; %s", ErrConfig, urlForms)
	case err != nil || r.login == nil:
		return address, "", "", nil //nolint:nilerr // what it is good for is said where it is used
	}
	password, _ = r.login.Password()
	return r.base.String(), r.login.Username(), password, nil
}
