package tlsfiles

import "crypto/tls"

// Route returns a configuration for a port that nodes and clients share: who
// asks for a name gets that name's configuration, everybody else the other.
// Nodes dial each other by their role, see PeerConfig.
func Route(name string, named, others *tls.Config) *tls.Config {
	config := others.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		chosen := others
		if hello.ServerName == name {
			chosen = named
		}
		if chosen.GetConfigForClient == nil {
			return chosen, nil
		}
		return chosen.GetConfigForClient(hello)
	}
	return config
}
