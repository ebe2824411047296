#!/bin/sh
# What a process in the place of the service succeeds in, a line for each: run by the unit itself, sandbox and all.
exec 2>/dev/null
for path in /etc /etc/honua /etc/systemd/system /usr/local/bin /opt /srv /root /home /home/admin /var/lib /var/log /run /run/lock /dev/shm /dev/mqueue /sys; do
  (: >"$path/honua-probe") && echo "writes to $path"
done
(: >>/usr/local/bin/honua) && echo 'changes the program'
(: >/var/honua/honua-probe) && rm /var/honua/honua-probe && echo 'writes to /var/honua'
[ "$(id -u)" = 0 ] || find / -path /proc -prune -o -path /var/honua -prune -o -type d -writable -print
mount -t tmpfs none /mnt && echo 'mounts'
unshare --user true && echo 'makes namespaces'
chmod u+s /tmp && echo 'sets the setuid bit'
echo 1 >/proc/sys/net/ipv4/ip_forward && echo 'changes the kernel'
ls /home/admin && echo 'sees homes'
ls /proc | grep -qx 1 && [ "$(id -u)" != 0 ] && echo 'sees processes of others'
[ -e /dev/kmsg ] && echo 'has devices'
exit 0
