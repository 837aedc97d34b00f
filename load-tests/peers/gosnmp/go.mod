module atalaia/load-tests/peers/gosnmp

go 1.22

require github.com/gosnmp/gosnmp v1.35.0
