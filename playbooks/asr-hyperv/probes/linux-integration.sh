# Which virtual machine this is, whether the daemon that freezes the file systems for a snapshot runs, and whether something
# here would want to be told of it: databases, and the scripts that tell them.

# Hyper-V's host writes names into a file of records: 512 bytes of key, 2048 bytes of value, padded with NUL.
host_values() {
    for pool in /var/lib/hyperv/.kvp_pool_3 /var/opt/hyperv/.kvp_pool_3; do
        if [ -r "$pool" ]; then
            tr -s '\000' '\n' <"$pool"
            return
        fi
    done
}

# The names of all processes that this account sees. Small systems have no ps, or one that knows no -e.
process_names() {
    ps -e -o comm= 2>/dev/null || cat /proc/[0-9]*/comm 2>/dev/null
}

# The first of the given process names that runs.
running_process() {
    for wanted in "$@"; do
        if process_names | grep -q -x -F "$wanted"; then
            printf '%s' "$wanted"
            return
        fi
    done
}

# Whether this account sees the processes of others: some systems hide them, and then nothing is known.
sees_processes() {
    [ -r /proc/1/comm ]
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
    # Debian up to 11 has the longest of these names.
    for unit in hv-vss-daemon.service hypervvssd.service hv_vss_daemon.service hyperv-daemons.hv-vss-daemon.service; do
        if [ "$(systemctl show --property=LoadState "$unit" 2>/dev/null)" = 'LoadState=loaded' ]; then
            printf 'vss.unit=%s\n' "$unit"
            printf 'vss.unit_state=%s\n' "$(systemctl show --property=ActiveState "$unit" | cut -d = -f 2)"
            printf 'vss.unit_enabled=%s\n' "$(systemctl show --property=UnitFileState "$unit" | cut -d = -f 2)"
            break
        fi
    done
fi

# Databases have to be told before a snapshot; the daemon above freezes file systems and tells nobody. Oracle's first process
# has the name of the instance at its end.
process_names | grep -x -E 'postgres|mysqld|mariadbd|mongod|sqlservr|db2sysc|hdbindexserver|ora_pmon_.*' | sort -u | grep -n '' |
    sed -n 's/^\([0-9]*\):\(.*\)$/applications.\1=\2/p'

# The script that Site Recovery's Mobility agent calls with --pre and --post around a snapshot: its type and rights.
# The folder is written in two ways.
for folder in Vx VX; do
    script=/usr/local/ASR/$folder/scripts/customscript.sh
    if [ -e "$script" ]; then
        printf 'script.folder=%s\nscript.rights=%s\n' "$folder" "$(ls -ld "$script" 2>/dev/null | cut -c 1-10)"
        break
    fi
done
