// gosnmp's TrapListener as a peer of the bench: decodes every trap, counts, and at the end of its standard input prints how
// many it decoded and how many seconds of CPU it took.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gosnmp/gosnmp"
)

func main() {
	address, community := os.Args[1], os.Args[2]
	var count atomic.Int64
	listener := gosnmp.NewTrapListener()
	listener.Params = &gosnmp.GoSNMP{
		Version:   gosnmp.Version2c,
		Community: community,
		Transport: "udp",
		Timeout:   2 * time.Second,
	}
	listener.OnNewTrap = func(packet *gosnmp.SnmpPacket, _ *net.UDPAddr) {
		if packet.Community == community && len(packet.Variables) > 0 {
			count.Add(1)
		}
	}
	go func() {
		if err := listener.Listen(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	<-listener.Listening()
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
	// What is in the receive buffer still counts.
	for last := int64(-1); count.Load() != last; time.Sleep(200 * time.Millisecond) {
		last = count.Load()
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	seconds := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	fmt.Println(count.Load(), seconds)
}
