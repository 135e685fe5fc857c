# Which virtual machine this is, and whether the daemon that freezes the file systems for a snapshot runs.

# Hyper-V's host writes names into a file of records: 512 bytes of key, 2048 bytes of value, padded with NUL.
host_values() {
    for pool in /var/lib/hyperv/.kvp_pool_3 /var/opt/hyperv/.kvp_pool_3; do
        if [ -r "$pool" ]; then
            tr -s '\000' '\n' <"$pool"
            return
        fi
    done
}

# The first of the given process names that runs.
running_process() {
    for wanted in "$@"; do
        if ps -e -o comm= 2>/dev/null | grep -q -x -F "$wanted"; then
            printf '%s' "$wanted"
            return
        fi
    done
}

# Whether this account sees the processes of others: some systems hide them, and then nothing is known.
sees_processes() {
    command -v ps >/dev/null 2>&1 && [ -r /proc/1/comm ]
}

id=$(host_values | sed -n '/^VirtualMachineId$/,/./p' | head -n 2 | tail -n 1 | tr 'A-F' 'a-f')
if [ -n "$id" ]; then printf 'guest.id=%s\n' "$id"; fi
name=$(host_values | sed -n '/^VirtualMachineName$/,/./p' | head -n 2 | tail -n 1)
if [ -z "$name" ]; then name=$(uname -n); fi
printf 'guest.name=%s\n' "$name"
if [ -d /sys/bus/vmbus ]; then echo 'hyperv=true'; else echo 'hyperv=false'; fi
printf 'kernel=%s\n' "$(uname -r)"
distribution=$(grep '^ID=' /etc/os-release 2>/dev/null | cut -d = -f 2 | tr -d '"')
if [ -n "$distribution" ]; then printf 'distribution=%s\n' "$distribution"; fi
version=$(grep '^VERSION_ID=' /etc/os-release 2>/dev/null | cut -d = -f 2 | tr -d '"')
if [ -n "$version" ]; then printf 'distribution_version=%s\n' "$version"; fi

if [ -e /dev/vmbus/hv_vss ]; then echo 'vss.device=true'; else echo 'vss.device=false'; fi

# The daemon is called hv_vss_daemon upstream, on Debian, Ubuntu and SUSE, and hypervvssd on Red Hat and its kin.
installed=false
for program in /usr/sbin/hv_vss_daemon /usr/sbin/hypervvssd /sbin/hv_vss_daemon /usr/lib/hyper-v/bin/hv_vss_daemon /usr/bin/hv_vss_daemon; do
    if [ -e "$program" ]; then installed=true; fi
done
daemon=$(running_process hv_vss_daemon hypervvssd hv-vss-daemon)
if [ -n "$daemon" ]; then installed=true; fi
printf 'vss.installed=%s\n' "$installed"
if [ -n "$daemon" ]; then
    printf 'vss.running=true\nvss.daemon=%s\n' "$daemon"
elif sees_processes; then
    echo 'vss.running=false'
fi
if [ -n "$(running_process hv_kvp_daemon hypervkvpd hv-kvp-daemon)" ]; then
    echo 'kvp.running=true'
elif sees_processes; then
    echo 'kvp.running=false'
fi

if command -v systemctl >/dev/null 2>&1; then
    for unit in hv-vss-daemon.service hypervvssd.service hv_vss_daemon.service; do
        if [ "$(systemctl show --property=LoadState "$unit" 2>/dev/null)" = 'LoadState=loaded' ]; then
            printf 'vss.unit=%s\n' "$unit"
            printf 'vss.unit_state=%s\n' "$(systemctl show --property=ActiveState "$unit" | cut -d = -f 2)"
            printf 'vss.unit_enabled=%s\n' "$(systemctl show --property=UnitFileState "$unit" | cut -d = -f 2)"
            break
        fi
    done
fi
