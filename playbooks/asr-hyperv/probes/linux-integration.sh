# Which virtual machine this is, and whether the daemon that freezes the file systems for a snapshot runs.

# Hyper-V's host writes names into a file of records: 512 bytes of key, 2048 bytes of value, padded with NUL.
host_value() {
    for pool in /var/lib/hyperv/.kvp_pool_3 /var/opt/hyperv/.kvp_pool_3; do
        if [ -r "$pool" ]; then
            tr -s '\000' '\n' <"$pool" | sed -n "/^$1\$/{n;p;q;}"
            return
        fi
    done
}

release_value() {
    if [ -r /etc/os-release ]; then
        sed -n "s/^$1=//p" /etc/os-release | tr -d '"'
    fi
}

# The first of the given process names that runs. The kernel cuts names after 15 characters.
running_process() {
    for wanted in "$@"; do
        if cat /proc/[0-9]*/comm 2>/dev/null | grep -q -x -F "$wanted"; then
            printf '%s' "$wanted"
            return
        fi
    done
}

id=$(host_value VirtualMachineId | tr 'A-F' 'a-f')
if [ -n "$id" ]; then printf 'guest.id=%s\n' "$id"; fi
name=$(host_value VirtualMachineName)
printf 'guest.name=%s\n' "${name:-$(uname -n)}"
if [ -d /sys/bus/vmbus ]; then echo hyperv=true; else echo hyperv=false; fi
printf 'kernel=%s\n' "$(uname -r)"
distribution=$(release_value ID)
if [ -n "$distribution" ]; then printf 'distribution=%s\n' "$distribution"; fi
version=$(release_value VERSION_ID)
if [ -n "$version" ]; then printf 'distribution_version=%s\n' "$version"; fi

if [ -e /dev/vmbus/hv_vss ]; then echo vss.device=true; else echo vss.device=false; fi

# The daemon is called hv_vss_daemon upstream, on Debian, Ubuntu and SUSE, and hypervvssd on Red Hat and its kin.
installed=false
for program in /usr/sbin/hv_vss_daemon /usr/sbin/hypervvssd /sbin/hv_vss_daemon /usr/lib/hyper-v/bin/hv_vss_daemon /usr/bin/hv_vss_daemon; do
    if [ -e "$program" ]; then installed=true; fi
done
daemon=$(running_process hv_vss_daemon hypervvssd hv-vss-daemon)
if [ -n "$daemon" ]; then installed=true; fi
echo "vss.installed=$installed"
# A system that hides processes from this account hides the first one too: then nothing is known.
if [ -n "$daemon" ]; then
    printf 'vss.running=true\nvss.daemon=%s\n' "$daemon"
elif [ -r /proc/1/comm ]; then
    echo vss.running=false
fi
if [ -n "$(running_process hv_kvp_daemon hypervkvpd hv-kvp-daemon)" ]; then
    echo kvp.running=true
elif [ -r /proc/1/comm ]; then
    echo kvp.running=false
fi

if command -v systemctl >/dev/null 2>&1; then
    for unit in hv-vss-daemon.service hypervvssd.service hv_vss_daemon.service; do
        if [ "$(systemctl show --property=LoadState "$unit" 2>/dev/null)" = LoadState=loaded ]; then
            printf 'vss.unit=%s\n' "$unit"
            printf 'vss.unit_state=%s\n' "$(systemctl show --property=ActiveState "$unit" | sed 's/^[^=]*=//')"
            printf 'vss.unit_enabled=%s\n' "$(systemctl show --property=UnitFileState "$unit" | sed 's/^[^=]*=//')"
            break
        fi
    done
fi
